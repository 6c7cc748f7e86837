"""The endings `api/json` and `api/python` of any object."""

from __future__ import annotations

from typing import Any

from tests.support.jenkins import answers
from tests.support.jenkins.answers import Answer
from tests.support.jenkins.beans import Bean, TreeSyntaxError, cut_by_depth, cut_by_tree, parse_tree
from tests.support.jenkins.jobs import View
from tests.support.jenkins.requests import Request


def is_api(rest: list[str]) -> bool:
    return rest in (["api", "json"], ["api", "python"])


def export(view: View, request: Request, what: Bean) -> Answer:
    """The bean cut as tree= or depth= ask."""
    controller = view.controller
    path = request.path
    if "jsonp" in request.fields:
        return answers.jetty(403, "jsonp forbidden; implement jenkins.security.SecureRequester", path)
    tree, depth = request.fields.get("tree"), request.fields.get("depth", "0")
    value: Any
    if tree is not None:
        try:
            value = cut_by_tree(what, parse_tree(tree))
        except TreeSyntaxError:
            return answers.oops(controller, ("Connection", "close"))
    else:
        if not depth.isdigit():
            return answers.oops(controller)
        value = cut_by_depth(what, int(depth))
    if path.rstrip("/").endswith("python"):
        answer = answers.exported(controller, value)
        answer.body = repr(value).replace("': ", "':").replace(", '", ",'").replace("'", '"').encode()
        answer.headers = [(n, "text/x-python;charset=UTF-8") if n == "Content-Type" else (n, v) for n, v in answer.headers]
        return answer
    return answers.exported(controller, value, pretty=request.fields.get("pretty") == "true")
