"""Answers every path: ``/hello`` at once, ``/metrics`` as the product does, ``/fault`` by raising."""

import os
from typing import Any

from flask import Flask, request

from app.api.metrics import init_metrics
from app.observability.logs import get_logger
from app.observability.metrics import metrics
from app.observability.middleware import ObservedApplication

flask = Flask(__name__)
init_metrics(flask)


@flask.get("/hello")
def hello() -> Any:
    request.environ["bingsan.route"] = "/hello"
    metrics.record_commit("db", "t")
    return {"pid": os.getpid()}


@flask.get("/event")
def event() -> Any:
    request.environ["bingsan.route"] = "/event"
    get_logger("test").warning("asked", password="hunter2", url="postgresql://u:hunter2@h/db")
    return {"pid": os.getpid()}


@flask.get("/fault")
def fault() -> Any:
    request.environ["bingsan.route"] = "/fault"
    raise LookupError("nothing here")


application = ObservedApplication(flask.wsgi_app)
