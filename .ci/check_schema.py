"""Checks that JSON documents are what their contract says.

usage: check_schema.py SCHEMA.json DOCUMENT.json...
"""

import json
import pathlib
import sys

import jsonschema

schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def extended(node):
    """The definitions that something else adds properties to: these stay open, and what adds to them is closed."""
    if isinstance(node, dict):
        if "$ref" in node and "properties" in node:
            yield node["$ref"]
        for value in node.values():
            yield from extended(value)
    elif isinstance(node, list):
        for value in node:
            yield from extended(value)


def closed(node, at="#", open_ones=frozenset(extended(schema))):
    """The schema with nothing allowed that it does not name: a new field must enter the contract."""
    if isinstance(node, dict):
        closed_in = {key: closed(value, f"{at}/{key}") for key, value in node.items()}
        if node.get("type") == "object" and "properties" in node and "oneOf" not in node and at not in open_ones:
            closed_in.setdefault("unevaluatedProperties", False)
        return closed_in
    if isinstance(node, list):
        return [closed(value, f"{at}/{i}") for i, value in enumerate(node)]
    return node


strict = jsonschema.Draft202012Validator(closed(schema))
wrong = 0
for name in sys.argv[2:]:
    document = json.loads(pathlib.Path(name).read_text(encoding="utf-8"))
    for error in strict.iter_errors(document):
        wrong += 1
        print(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")
    for key in schema["required"]:
        # Neither a number nor a text, and no list of what the contract knows.
        if validator.is_valid({**document, key: [[]]}):
            wrong += 1
            print(f"{name}: the schema lets anything pass for {key}")
print(f"{len(sys.argv) - 2} documents, {wrong} faults")
sys.exit(1 if wrong else 0)
