"""Data through Spark SQL: writes, time travel, references, metadata tables, snapshot procedures."""

import pytest

from tests.clients.spark import Engine

METADATA_TABLES = [
    "history", "snapshots", "metadata_log_entries", "entries", "files", "data_files", "delete_files", "manifests",
    "partitions", "refs", "all_data_files", "all_delete_files", "all_entries", "all_files", "all_manifests",
    "position_deletes",
]  # fmt: skip


@pytest.fixture
def people(spark: Engine, database: str) -> str:
    """The full name of a table of three rows, which is ``people`` in short."""
    spark.sql("CREATE TABLE people (id BIGINT, name STRING, born INT) USING iceberg")
    spark.sql("INSERT INTO people VALUES (1, 'Ada', 1815), (2, 'Grace', 1906), (3, 'Edsger', 1930)")
    return f"{database}.people"


def snapshots(spark: Engine, table: str) -> list[int]:
    return [row[0] for row in spark.rows(f"SELECT snapshot_id FROM {table}.snapshots ORDER BY committed_at")]


def ids(spark: Engine, source: str) -> list[int]:
    return [row[0] for row in spark.rows(f"SELECT id FROM {source} ORDER BY id")]


def call(spark: Engine, procedure: str) -> list[tuple]:
    return spark.rows(f"CALL {spark.catalog}.system.{procedure}")


def test_insert_overwrite_and_read(spark: Engine, people: str) -> None:
    spark.sql("INSERT INTO people SELECT id + 10, name, born FROM people WHERE born > 1900")
    assert ids(spark, people) == [1, 2, 3, 12, 13]
    spark.sql("INSERT OVERWRITE people SELECT * FROM people WHERE id > 10")
    assert ids(spark, people) == [12, 13]


def test_dataframe_writer(spark: Engine, database: str) -> None:
    frame = spark.session.range(6).selectExpr("id", "id % 3 AS part")
    frame.writeTo(f"{database}.t").using("iceberg").partitionedBy("part").create()
    frame.writeTo(f"{database}.t").append()
    frame.where("part = 1").writeTo(f"{database}.t").overwritePartitions()
    assert spark.rows("SELECT part, count(*) FROM t GROUP BY part ORDER BY part") == [(0, 4), (1, 2), (2, 4)]


@pytest.mark.parametrize("mode", ["copy-on-write", "merge-on-read"])
def test_update_delete_merge(spark: Engine, people: str, mode: str) -> None:
    modes = ", ".join(f"'write.{operation}.mode' = '{mode}'" for operation in ("update", "delete", "merge"))
    spark.sql(f"ALTER TABLE people SET TBLPROPERTIES ({modes})")
    spark.sql("UPDATE people SET born = 1 WHERE id = 1")
    spark.sql("DELETE FROM people WHERE name = 'Grace'")
    spark.sql(
        "MERGE INTO people t USING (SELECT 3 AS id, 'Dijkstra' AS name UNION ALL SELECT 4, 'Barbara') s ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET t.name = s.name WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)"
    )
    assert spark.rows("SELECT * FROM people ORDER BY id") == [
        (1, "Ada", 1),
        (3, "Dijkstra", 1930),
        (4, "Barbara", None),
    ]
    deletes = spark.value(f"SELECT count(*) FROM {people}.all_delete_files")
    assert (deletes > 0) == (mode == "merge-on-read")


def test_time_travel(spark: Engine, people: str) -> None:
    first = spark.value(f"SELECT committed_at FROM {people}.snapshots")
    spark.sql("INSERT INTO people VALUES (4, 'Barbara', 1939)")
    (old, _) = snapshots(spark, people)
    assert ids(spark, f"people VERSION AS OF {old}") == [1, 2, 3]
    assert ids(spark, f"people TIMESTAMP AS OF '{first}'") == [1, 2, 3]
    assert ids(spark, people) == [1, 2, 3, 4]


def test_branches_and_tags(spark: Engine, people: str) -> None:
    spark.sql("ALTER TABLE people CREATE TAG v1 RETAIN 365 DAYS")
    spark.sql("ALTER TABLE people CREATE BRANCH audit RETAIN 7 DAYS WITH SNAPSHOT RETENTION 2 SNAPSHOTS")
    spark.sql(f"INSERT INTO {people}.branch_audit VALUES (9, 'Audit', 0)")
    spark.sql("INSERT INTO people VALUES (4, 'Barbara', 1939)")
    assert ids(spark, "people VERSION AS OF 'v1'") == [1, 2, 3]
    assert ids(spark, "people VERSION AS OF 'audit'") == [1, 2, 3, 9]
    assert ids(spark, people) == [1, 2, 3, 4]
    refs = {row["name"]: row for row in spark.sql(f"SELECT * FROM {people}.refs")}
    assert refs["v1"]["max_reference_age_in_ms"] == 365 * 86_400_000
    assert refs["audit"]["min_snapshots_to_keep"] == 2

    spark.sql("ALTER TABLE people REPLACE TAG v1 RETAIN 1 DAYS")
    spark.sql("ALTER TABLE people DROP BRANCH audit")
    assert set(spark.rows(f"SELECT name, type FROM {people}.refs")) == {("main", "BRANCH"), ("v1", "TAG")}


def test_fast_forward(spark: Engine, people: str) -> None:
    spark.sql("ALTER TABLE people CREATE BRANCH audit")
    spark.sql(f"INSERT INTO {people}.branch_audit VALUES (9, 'Audit', 0)")
    call(spark, f"fast_forward('{people}', 'main', 'audit')")
    assert ids(spark, people) == [1, 2, 3, 9]


def test_metadata_tables(spark: Engine, people: str) -> None:
    spark.sql("INSERT INTO people VALUES (4, 'Barbara', 1939)")
    counts = {name: spark.value(f"SELECT count(*) FROM {people}.{name}") for name in METADATA_TABLES}
    assert counts["snapshots"] == counts["history"] == counts["data_files"] == counts["manifests"] == 2
    assert counts["metadata_log_entries"] == 3
    assert counts["delete_files"] == counts["position_deletes"] == 0
    assert spark.value(f"SELECT sum(record_count) FROM {people}.files") == 4
    assert spark.value(f"SELECT max(latest_sequence_number) FROM {people}.metadata_log_entries") == 2


def test_rollback_and_cherry_pick(spark: Engine, people: str) -> None:
    spark.sql("INSERT INTO people VALUES (4, 'Barbara', 1939)")
    first, second = snapshots(spark, people)
    call(spark, f"rollback_to_snapshot('{people}', {first})")
    assert ids(spark, people) == [1, 2, 3]
    call(spark, f"set_current_snapshot('{people}', {second})")
    assert ids(spark, people) == [1, 2, 3, 4]
    call(spark, f"rollback_to_snapshot('{people}', {first})")
    call(spark, f"cherrypick_snapshot('{people}', {second})")
    assert ids(spark, people) == [1, 2, 3, 4]


def test_maintenance_procedures(spark: Engine, people: str) -> None:
    for number in range(4, 8):
        spark.sql(f"INSERT INTO people VALUES ({number}, 'n', 0)")
    assert call(spark, f"rewrite_manifests('{people}')")[0][:1] == (5,)
    rewritten = call(
        spark, f"rewrite_data_files(table => '{people}', options => map('min-input-files', '2'))"
    )
    assert rewritten[0][0] == 5
    spark.sql("DELETE FROM people WHERE id = 1")
    call(spark, f"expire_snapshots(table => '{people}', older_than => now(), retain_last => 1)")
    call(spark, f"remove_orphan_files(table => '{people}', dry_run => true, prefix_listing => true)")
    assert ids(spark, people) == [2, 3, 4, 5, 6, 7]
    assert len(snapshots(spark, people)) == 1


def test_statistics(spark: Engine, people: str) -> None:
    ((written,),) = call(spark, f"compute_table_stats('{people}')")
    assert written.endswith(".stats")
    assert ids(spark, people) == [1, 2, 3]


def test_register_table(spark: Engine, database: str, people: str) -> None:
    file = spark.value(f"SELECT file FROM {people}.metadata_log_entries ORDER BY timestamp DESC LIMIT 1")
    spark.sql("DROP TABLE people")
    ((_, rows, _),) = call(spark, f"register_table('{database}.again', '{file}')")
    assert rows == 3
    assert ids(spark, "again") == [1, 2, 3]


def test_changelog(spark: Engine, people: str) -> None:
    spark.sql("DELETE FROM people WHERE id = 1")
    call(spark, f"create_changelog_view(table => '{people}', changelog_view => 'changes')")
    changes = spark.rows("SELECT _change_type, count(*) FROM changes GROUP BY 1 ORDER BY 1")
    assert changes == [("DELETE", 1), ("INSERT", 3)]
    spark.sql("DROP VIEW changes")  # of the session, which all tests share
