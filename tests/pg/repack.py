#!/usr/bin/env python3
"""Packs the data files of a backup anew, in pieces cut at row ends, as migsafe's own engine writes them.

usage: repack.py FOLDER CODEC PIECE_BYTES MEMBER_BYTES

CODEC is gzip, zstd or none. A piece holds about PIECE_BYTES of text; the manifest tells a member about every
MEMBER_BYTES. SHA256SUMS and manifest.json are made to fit.
"""
import gzip
import hashlib
import json
import os
import subprocess
import sys

folder, codec, piece_bytes, member_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
SUFFIX = {'gzip': '.gz', 'zstd': '.zst', 'none': ''}[codec]
END = b'\\.\n\n\n'


def pack(text):
    if codec == 'gzip':
        return gzip.compress(text, 1)
    if codec == 'zstd':
        return subprocess.run(['zstd', '-1', '-q', '-c'], input=text, stdout=subprocess.PIPE, check=True).stdout
    return text


def unpacked(name):
    path = os.path.join(folder, name)
    if name.endswith('.gz'):
        return gzip.open(path).read()
    if name.endswith('.zst'):
        return subprocess.run(['zstd', '-dcq', path], stdout=subprocess.PIPE, check=True).stdout
    with open(path, 'rb') as f:
        return f.read()


def sum_of(name):
    with open(os.path.join(folder, name), 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def pieces(text):
    while len(text) > piece_bytes:
        cut = text.find(b'\n', piece_bytes - 1) + 1
        yield text[:cut]
        text = text[cut:]
    if text:
        yield text


def repack(name):
    """The new name, the offsets of members, the bytes of text."""
    text = unpacked(name)
    assert text.endswith(END), name
    text = text[:-len(END)]
    bare = name.rsplit('.gz', 1)[0].rsplit('.zst', 1)[0]
    members, offset, since = [0], 0, 0
    aside = os.path.join(folder, 'aside')
    with open(aside, 'wb') as out:
        for piece in pieces(text):
            if since >= member_bytes:
                members.append(offset)
                since = 0
            since += len(piece)
            offset += out.write(pack(piece))
        out.write(pack(END))
    os.unlink(os.path.join(folder, name))
    os.rename(aside, os.path.join(folder, bare + SUFFIX))
    return bare + SUFFIX, members, len(text)


with open(os.path.join(folder, 'manifest.json')) as f:
    manifest = json.load(f)
renamed = {}
for table in manifest['tables'] + manifest.get('configuration_tables', []):
    if table['file'] is None:
        continue
    old = table['file']
    table['file'], table['members'], table['text_bytes'] = repack(old)
    table['sha256'] = sum_of(table['file'])
    table['bytes'] = os.path.getsize(os.path.join(folder, table['file']))
    renamed[old] = table['file']
for file in manifest['files']:
    file['name'] = renamed.get(file['name'], file['name'])
    file['sha256'] = sum_of(file['name'])
    file['bytes'] = os.path.getsize(os.path.join(folder, file['name']))
manifest['bytes'] = sum(file['bytes'] for file in manifest['files'])
if codec == 'zstd':
    manifest['not_stock'] = 'unzstd *.dat.zst first'
with open(os.path.join(folder, 'manifest.json'), 'w') as f:
    json.dump(manifest, f)
with open(os.path.join(folder, 'SHA256SUMS'), 'w') as f:
    for file in manifest['files']:
        f.write(f"{file['sha256']}  {file['name']}\n")
