"""What `kubectl kustomize` makes of a folder, as far as `deploy/kubernetes` goes: resources, components, a namespace, images, and
patches, of JSON Patch (RFC 6902) or as a part of the object (strategic merge). Anything else is an error."""

import copy
import os
import re

import yaml

# Kinds that belong to no namespace.
OF_THE_CLUSTER = {"Namespace"}
VERSIONS = {"Kustomization": "kustomize.config.k8s.io/v1beta1", "Component": "kustomize.config.k8s.io/v1alpha1"}


def render(folder):
    """The objects, each a dictionary."""
    return build(folder, "Kustomization", [])


def build(folder, kind, objects):
    """Adds to the objects, of which a component may change those that are there, as its patches do."""
    with open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8") as file:
        made = yaml.safe_load(file)
    assert (made.pop("apiVersion"), made.pop("kind")) == (VERSIONS[kind], kind)
    for name in made.pop("resources"):
        path = os.path.join(folder, name)
        objects += render(path) if os.path.isdir(path) else read(path)
    for name in made.pop("components", []):
        build(os.path.join(folder, name), "Component", objects)
    for patch in made.pop("patches", []):
        apply(patch, folder, objects)
    for image in made.pop("images", []):
        for one in objects:
            for container in containers(one):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"
    namespace = made.pop("namespace") if kind == "Kustomization" else None
    for one in objects:
        if namespace and one["kind"] not in OF_THE_CLUSTER:
            one["metadata"]["namespace"] = namespace
    assert not made, f"{folder}: {sorted(made)} is not known here"
    return objects


def read(path):
    with open(path, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def containers(one):
    """The containers of an object that makes pods."""
    return one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])


def apply(patch, folder, objects):
    target = patch["target"]
    assert set(patch) == {"path", "target"} and set(target) <= {"kind", "name"}
    [wanted] = read(os.path.join(folder, patch["path"]))
    matching = [one for one in objects
                if one["kind"] == target["kind"] and target.get("name") in (None, one["metadata"]["name"])]
    assert matching, f"{patch} is for nothing"
    for one in matching:
        if isinstance(wanted, dict):
            merge(one, copy.deepcopy(wanted))
            continue
        for operation in wanted:
            change(one, **copy.deepcopy(operation))


def merge(one, wanted):
    """Of lists, entries of one name are one; those that are patched come first, as Kustomize has them."""
    for key, value in wanted.items():
        old = one.get(key)
        if isinstance(old, dict):
            merge(old, value)
        elif isinstance(old, list):
            by_name = {entry["name"]: entry for entry in old}
            for entry in value:
                merge(by_name.setdefault(entry["name"], {}), entry)
            patched = {entry["name"] for entry in value}
            one[key] = [by_name[entry["name"]] for entry in value] + [each for each in old if each["name"] not in patched]
        else:
            one[key] = value


def change(one, op, path, value=None):
    *way, last = (re.sub("~1", "/", part).replace("~0", "~") for part in path.removeprefix("/").split("/"))
    for part in way:
        one = one[int(part)] if isinstance(one, list) else one[part]
    if isinstance(one, list):
        assert op == "add" and last == "-", f"{op} {path} is not known here"
        one.append(value)
        return
    assert op in ("add", "replace", "remove") and (op == "add" or last in one), f"{op} {path}"
    if op == "remove":
        del one[last]
    else:
        one[last] = value
