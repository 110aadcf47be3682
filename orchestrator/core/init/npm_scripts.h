/*
 * npm_scripts.h - scripts put into the text of a package.json.
 *
 * The text is not written anew from a parsed document: what is added takes the
 * form of what stands beside it (indentation, line ends, blank after the colon),
 * and every other byte stays as it is.
 */
#ifndef MIGSAFE_CORE_INIT_NPM_SCRIPTS_H
#define MIGSAFE_CORE_INIT_NPM_SCRIPTS_H

#include "base/str.h"

struct npm_script {
    const char *name, *command;
};

struct npm_scripts_result {
    const char *text;                     /* equals what was given when there was nothing to do */
    struct strlist added, replaced, left; /* names; left: is there with another command */
};

/*
 * A script that is there with another command is left, or replaced where `replace` says so.
 * ERR_CONFIG: no JSON, not an object, or "scripts" is none.
 */
MUST_CHECK bool npm_scripts_put(struct arena *a, const char *text, const struct npm_script *scripts,
                                bool replace, struct npm_scripts_result *result, struct err *e);

#endif
