"""Runs in an environment that has PySpark or PyFlink: answers each line ``"statement"`` with its rows.

``sql_program.py spark|flink OPTIONS``: the options of the session are one JSON object.
"""

import json
import os
import sys
from collections.abc import Callable

Run = Callable[[str], list[list]]


def spark(options: dict[str, str]) -> Run:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder
    for key, value in options.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    return lambda statement: [list(row) for row in session.sql(statement).collect()]


def flink(options: dict[str, str]) -> Run:
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    for key, value in options.items():
        configuration.set_string(key, value)
    settings = EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build()
    environment = TableEnvironment.create(settings)

    def run(statement: str) -> list[list]:
        result = environment.execute_sql(statement)
        if result.get_job_client() and not statement.startswith("SELECT"):
            result.wait()
            return []
        with result.collect() as rows:
            return [list(row) for row in rows]

    return run


def answer(run: Run, line: str) -> dict:
    try:
        return {"result": run(json.loads(line))}
    except Exception as error:  # noqa: BLE001 whatever the client raises is its answer
        return {"error": {"message": str(error), "name": type(error).__name__}}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the engine prints is no answer
    run = {"spark": spark, "flink": flink}[sys.argv[1]](json.loads(sys.argv[2]))
    for line in sys.stdin:
        print(json.dumps(answer(run, line), default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
