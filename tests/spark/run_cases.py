#!/usr/bin/env python3
"""Runs the statements of engine query-service on Apache Spark and compares the rows.

usage: run_cases.py CASES.json

CASES.json is what audiencesync-spark-cases printed. Every statement runs as it stands there; the tables they name
are made here. Ends with 1 when a row differs, and says which.
"""
import collections
import json
import sys
import tempfile

from pyspark.sql import SparkSession, types


def text_type(*names):
    return types.StructType([types.StructField(name, types.StringType()) for name in names])


MEMBERSHIPS = types.MapType(types.StringType(), types.MapType(types.StringType(), text_type("status")))
LIST = types.ArrayType(text_type("audienceMembershipId", "audienceMembershipName"))


def tables(spark, case):
    """The export and the target, with the columns their schemas give them."""
    tenant = case["tenant"]
    profile = types.StructType().add(tenant, types.StructType().add("core", text_type("email")))
    profile = profile.add("segmentMembership", MEMBERSHIPS)
    rows = [
        (((one["email"],),), {space: {audience: (status,) for audience, status in entries.items()}
                              for space, entries in one["memberships"].items()})
        for one in case["profiles"]
    ]
    spark.createDataFrame(rows, profile).createOrReplaceTempView("profiles")
    kept = types.StructType().add("audienceMembership", LIST).add("audienceMembershipCount", types.LongType())
    kept = kept.add("audienceSyncGeneration", types.LongType())
    record = types.StructType().add("_id", types.StringType()).add("personID", types.StringType()).add(tenant, kept)
    rows = [
        ("x", one["person"], ([tuple(pair) for pair in one["audiences"]], len(one["audiences"]), one["generation"]))
        for one in case["records"]
    ]
    for name in ("changeset", "records"):
        spark.sql(f"DROP TABLE IF EXISTS {name}")
    spark.createDataFrame(rows, record).coalesce(1).write.saveAsTable("records")


def line(row):
    return "|".join("~" if cell is None else str(cell) for cell in row)


def differences(spark, case):
    tables(spark, case)
    spark.sql(case["create"])
    spark.sql(case["insert"])
    for question in case["questions"]:
        got = collections.Counter(line(row) for row in spark.sql(question["sql"]).collect())
        wanted = collections.Counter(question["rows"])
        for row in (wanted - got).elements():
            yield f"{question['name']}: Spark lacks  {row!r}"
        for row in (got - wanted).elements():
            yield f"{question['name']}: Spark adds   {row!r}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    with tempfile.TemporaryDirectory() as folder:
        spark = (
            SparkSession.builder.master("local[2]").appName("audiencesync")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.memory", "1g")
            # Tables of a few hundred rows: compiling a plan for them costs more than running it.
            .config("spark.sql.codegen.wholeStage", "false")
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.adaptive.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.warehouse.dir", folder)
            .config("spark.sql.session.timeZone", "UTC")
            # Else CREATE TABLE AS makes a table of Hive, which is not there.
            .config("spark.sql.legacy.createHiveTableByDefault", "false")
            .getOrCreate()
        )
        spark.sparkContext.setLogLevel("ERROR")
        wrong = 0
        rows = 0
        for case in cases:
            found = list(differences(spark, case))
            rows += sum(len(question["rows"]) for question in case["questions"])
            for what in found[:20]:
                print(f"{case['name']}: {what}", flush=True)
            wrong += len(found)
        version = spark.version
        spark.stop()
    print(f"Spark {version}: {len(cases)} cases, {rows} rows compared, {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
