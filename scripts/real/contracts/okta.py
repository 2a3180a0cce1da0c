"""okta.py FOLDER: writes what Okta's SDK for Python says of Okta's API as OpenAPI 3.0.

Okta publishes its OpenAPI document in no package, but generates the SDK from it: models have
the members, their types and bounds, and which are read-only; the API classes have the methods,
paths, parameters and the type of each answer. This reads their code, and runs none of it. What
the generator leaves out is missing here too: media types are all application/json, and
whatever may be left out may be null.
"""

import ast
import json
import pathlib
import re
import sys

NAMES = {
    "StrictStr": {"type": "string"}, "str": {"type": "string"}, "StrictBool": {"type": "boolean"},
    "bool": {"type": "boolean"}, "StrictInt": {"type": "integer"}, "int": {"type": "integer"},
    "StrictFloat": {"type": "number"}, "float": {"type": "number"}, "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"}, "Any": {}, "object": {},
}
BOUNDS = {"min_length": "minLength", "max_length": "maxLength", "ge": "minimum", "le": "maximum"}


def schema(node):
    """The schema of a type annotation, and whether it may be left out."""
    if isinstance(node, ast.Constant) and node.value is None:
        return {}, True
    if isinstance(node, ast.Name):
        return dict(NAMES.get(node.id, {"$ref": "#/components/schemas/" + node.id})), False
    if not isinstance(node, ast.Subscript):
        return {}, False
    of = node.value.id
    inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if of == "Optional":
        return schema(inner[0])[0], True
    if of == "List":
        return {"type": "array", "items": schema(inner[0])[0]}, False
    if of == "Dict":
        return {"type": "object", "additionalProperties": schema(inner[1])[0]}, False
    if of == "Annotated":
        result, optional = schema(inner[0])
        for call in inner[1:]:
            for bound in getattr(call, "keywords", []):
                if bound.arg in BOUNDS and isinstance(bound.value, ast.Constant):
                    result[BOUNDS[bound.arg]] = bound.value.value
        return result, optional
    return {}, False  # a union


def model(tree):
    """The schema of a model's class."""
    if any(isinstance(base, ast.Name) and base.id == "Enum" for base in tree.bases):
        return {"type": "string", "enum": [s.value.value for s in tree.body if isinstance(s, ast.Assign)]}
    result = {"type": "object", "properties": {}, "required": []}
    read_only = set()
    for s in ast.walk(tree):
        if isinstance(s, ast.AnnAssign) and getattr(s.target, "id", "") == "excluded_fields":
            read_only |= {n.value for n in ast.walk(s.value) if isinstance(n, ast.Constant)}
    for s in tree.body:
        name = getattr(getattr(s, "target", None), "id", "")
        if not isinstance(s, ast.AnnAssign) or name.startswith("_") or name == "model_config":
            continue
        if name in ("actual_instance", "additional_properties", "one_of_schemas", "any_of_schemas"):
            return {} if name != "additional_properties" else {**result, "additionalProperties": True}
        member, optional = schema(s.annotation)
        said = {k.arg: k.value for k in getattr(s.value, "keywords", [])}
        if optional:
            member = {"allOf": [member], "nullable": True} if "$ref" in member else {**member, "nullable": True}
        if name in read_only:
            member = {"allOf": [member], "readOnly": True} if "$ref" in member else {**member, "readOnly": True}
        alias = said["alias"].value if "alias" in said else name
        result["properties"][alias] = member
        if not optional:
            result["required"].append(alias)
    if not result["properties"] or "__discriminator_value_class_map" in ast.dump(tree):
        result["additionalProperties"] = True  # those that extend it have more
    return result


def operation(method, serialize):
    """The path, the HTTP method and the declaration of an operation."""
    path = verb = None
    query = []
    body = "_body_params" in {getattr(getattr(s, "targets", [None])[0], "id", "") for s in ast.walk(serialize) if isinstance(s, ast.Assign)}
    for call in (n for n in ast.walk(serialize) if isinstance(n, ast.Call)):
        said = {k.arg: k.value for k in call.keywords}
        if "resource_path" in said:
            path, verb = said["resource_path"].value, said["method"].value.lower()
        if getattr(getattr(call.func, "value", None), "id", "") == "_query_params":
            name, value = call.args[0].elts
            query.append((name.value, next(n.id for n in ast.walk(value) if isinstance(n, ast.Name))))
    arguments = {a.arg: a.annotation for a in method.args.args}
    declared = {"parameters": [], "responses": {}}
    for name, argument in query:
        declared["parameters"].append({"in": "query", "name": name, "schema": schema(arguments[argument])[0]})
    if body:
        name = next(s.value.id for s in ast.walk(serialize) if isinstance(s, ast.Assign)
                    and getattr(s.targets[0], "id", "") == "_body_params" and isinstance(s.value, ast.Name))
        wanted, optional = schema(arguments[name])
        declared["requestBody"] = {"required": not optional, "content": {"application/json": {"schema": wanted}}}
    for s in ast.walk(method):
        if isinstance(s, ast.AnnAssign) and getattr(s.target, "id", "") == "_response_types_map":
            for status, kind in zip(s.value.keys, s.value.values):
                answer = {"description": ""}
                if kind.value or status.value in ("200", "201", "202"):  # without a type: an empty object, or anything
                    kind = ast.Constant(kind.value or "object")
                    answer["content"] = {"application/json": {"schema": schema(ast.parse(kind.value, mode="eval").body)[0]}}
                declared["responses"][status.value] = answer
    return path, verb, declared


def main():
    folder = pathlib.Path(sys.argv[1])
    document = {"openapi": "3.0.3", "info": {"title": "Okta Admin Management", "version": ""}, "paths": {}, "components": {"schemas": {}}}
    for file in sorted((folder / "models").glob("*.py")):
        source = file.read_text()
        for tree in ast.parse(source).body:
            if isinstance(tree, ast.ClassDef):
                document["components"]["schemas"][tree.name] = model(tree)
    for file in sorted((folder / "api").glob("*_api.py")):
        source = file.read_text()
        document["info"]["version"] = (re.search(r"OpenAPI document: (\S+)", source) or [0, ""])[1]
        for tree in (t for t in ast.parse(source).body if isinstance(t, ast.ClassDef)):
            functions = {f.name: f for f in tree.body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))}
            for name, method in functions.items():
                if f"_{name}_serialize" in functions:
                    path, verb, declared = operation(method, functions[f"_{name}_serialize"])
                    document["paths"].setdefault(path, {})[verb] = declared
    # The SDK names some types that it has no model of.
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    for name in named - document["components"]["schemas"].keys():
        document["components"]["schemas"][name] = {}
    json.dump(document, sys.stdout, indent=1)


main()
