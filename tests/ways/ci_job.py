#!/usr/bin/env python3
"""Plays one job of a CI file: its own commands, in their order, in a real shell.

usage: ci_job.py github|gitlab FILE JOB GIVEN.json

GIVEN holds what the service would supply and what cannot be here:
  workspace      the checkout
  environment    variables of the runner
  expressions    github: the text between ${{ and }} -> its value; one that is not listed is a mistake
  replace        name of a step (github) or exact command (gitlab) -> command that runs in its place
  override       variables that the file must set, and the value that counts here (addresses, folders)
  project        gitlab: variables of the project's settings, which beat those of the file

`uses:` steps are told and skipped. Exit status: that of the first command that failed.
"""
import json
import os
import re
import subprocess
import sys

import yaml


def die(message):
    sys.exit("ci_job: " + message)


def run_shell(script, folder, environment):
    sys.stdout.flush()
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stderr=subprocess.STDOUT, check=False).returncode


class Github:
    def __init__(self, document, job, given):
        self.document, self.job, self.given = document, document["jobs"][job], given
        self.outputs = {}
        self.failed = 0
        self.environment = dict(given["environment"])
        self.overridden = set()

    def evaluate(self, expression):
        name = expression.strip()
        if name.startswith("env."):
            return self.environment[name[4:]]
        if name not in self.given["expressions"]:
            die("unknown expression: " + name)
        return self.given["expressions"][name]

    def text(self, value):
        return re.sub(r"\$\{\{(.*?)\}\}", lambda m: self.evaluate(m.group(1)), str(value))

    def add(self, environment, variables):
        for name, value in (variables or {}).items():
            environment[name] = self.text(value)
            if name in self.given["override"]:
                environment[name] = self.given["override"][name]
                self.overridden.add(name)

    def holds(self, condition):
        condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition).strip()
        if condition in ("always()", "!cancelled()"):
            return True
        match = re.fullmatch(r"steps\.(\w+)\.outputs\.(\w+) != '(\w+)'", condition)
        if not match:
            die("unknown condition: " + condition)
        step, output, value = match.groups()
        return not self.failed and self.outputs[step].get(output) != value

    def read_outputs(self, step, path):
        with open(path, encoding="utf-8") as lines:
            self.outputs[step.get("id")] = dict(line.rstrip("\n").split("=", 1) for line in lines)

    def run(self):
        self.add(self.environment, self.document.get("env"))
        self.add(self.environment, self.job.get("env"))
        defaults = self.job["defaults"]["run"]
        if defaults["shell"] != "bash":
            die("another shell: " + defaults["shell"])
        for number, step in enumerate(self.job["steps"]):
            self.step(number, step, defaults)
        if self.overridden != set(self.given["override"]):
            die("the file does not set all of " + " ".join(self.given["override"]))
        return self.failed

    def step(self, number, step, defaults):
        name = step.get("name", step.get("uses"))
        wanted = self.holds(step["if"]) if "if" in step else not self.failed
        print("== " + name + ("" if wanted else ": skipped"))
        if not wanted:
            return
        if "uses" in step:
            for key, value in step.get("with", {}).items():
                print("   %s: %s" % (key, self.text(value)))
            return
        environment = dict(self.environment)
        environment["GITHUB_OUTPUT"] = "%s/output%d" % (environment["RUNNER_TEMP"], number)
        with open(environment["GITHUB_OUTPUT"], "w", encoding="utf-8"):
            pass
        self.add(environment, step.get("env"))
        folder = self.text(step.get("working-directory", defaults["working-directory"]))
        script = self.given["replace"].get(name, self.text(step["run"]))
        status = run_shell(script, os.path.join(self.given["workspace"], folder), environment)
        print("-- %d" % status)
        self.read_outputs(step, environment["GITHUB_OUTPUT"])
        self.failed = self.failed or status


class Gitlab:
    def __init__(self, document, job, given):
        self.given = given
        self.job = self.extended(document, job)

    def extended(self, document, name):
        job = dict(document[name])
        if "extends" not in job:
            return job
        base = self.extended(document, job["extends"])
        variables = dict(base.get("variables", {}), **job.get("variables", {}))
        return dict(base, **job, variables=variables) if "variables" not in job else \
            dict(base, **dict(job, variables=variables))

    def run(self):
        environment = dict(self.given["environment"])
        for name, value in self.job["variables"].items():
            environment[name] = str(value)
        for name, value in self.given["override"].items():
            if name not in environment:
                die("the file does not set " + name)
            environment[name] = value
        environment.update(self.given["project"])
        commands = [self.given["replace"].pop(c, c) for c in self.job["before_script"] + self.job["script"]]
        if self.given["replace"]:
            die("nothing to replace: " + " ".join(self.given["replace"]))
        script = "\n".join("printf '$ %%s\\n' %s\n%s" % (quoted(c), c) for c in commands)
        return run_shell(script, self.given["workspace"], environment)


def quoted(text):
    return "'" + text.splitlines()[0].replace("'", "'\\''") + "'"


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("github", "gitlab"):
        print(__doc__)
        return 64
    with open(sys.argv[2], encoding="utf-8") as text:
        document = yaml.safe_load(text)
    with open(sys.argv[4], encoding="utf-8") as text:
        given = json.load(text)
    player = Github if sys.argv[1] == "github" else Gitlab
    return player(document, sys.argv[3], given).run()


if __name__ == "__main__":
    sys.exit(main())
