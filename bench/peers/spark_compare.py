"""The statements of engine query-service on Apache Spark. usage: spark_compare.py DATA STATEMENTS FOLDER CORES RUNS

DATA has two generations of profiles as Parquet, STATEMENTS is what bench_statements printed, FOLDER is for tables. The
target is made first and not measured. A line for each run: seconds to compare, seconds to write, processor seconds of
both, people written; then one with the peak memory in MiB.
"""
import json
import os
import sys
import time

from pyspark.sql import SparkSession, types

data, statements, folder, cores, runs = sys.argv[1:]
with open(statements, encoding="utf-8") as file:
    sql = json.load(file)

spark = (
    SparkSession.builder.master(f"local[{cores}]").appName("audiencesync")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.memory", "6g")
    .config("spark.local.dir", folder)
    .config("spark.sql.warehouse.dir", os.path.join(folder, "tables"))
    .config("spark.sql.shuffle.partitions", str(2 * int(cores)))
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.legacy.createHiveTableByDefault", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
virtual_machine = spark.sparkContext._gateway.proc.pid


def processor():
    """Seconds that the process and those it started have used."""
    total = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                words = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(process) == virtual_machine or int(words[1]) == virtual_machine:
            total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def peak():
    """MiB of the largest of them."""
    most = 0
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/status", encoding="utf-8") as file:
                lines = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            continue
        if int(process) == virtual_machine or int(lines["PPid"]) == virtual_machine:
            most = max(most, int(lines.get("VmHWM", "0 kB").split()[0]))
    return most // 1024


def timed(text):
    begin = time.monotonic()
    spark.sql(text)
    return time.monotonic() - begin


for generation in ("old", "new"):
    spark.read.parquet(f"{data}/{generation}/*.parquet").createOrReplaceTempView(f"{generation}_profiles")
texts = [types.StructField(name, types.StringType()) for name in ("audienceMembershipId", "audienceMembershipName")]
kept = types.StructType().add("audienceMembership", types.ArrayType(types.StructType(texts)))
kept = kept.add("audienceMembershipCount", types.LongType()).add("audienceSyncGeneration", types.LongType())
record = types.StructType().add("_id", types.StringType()).add("personID", types.StringType()).add("_demoemea", kept)
for table in ("base", "records"):
    spark.sql(f"DROP TABLE IF EXISTS {table}")
spark.createDataFrame([], record).write.saveAsTable("records")
spark.sql(sql["base"])
spark.sql(sql["keep"])

# The first run compiles, and is not told.
for run in range(int(runs) + 1):
    for table in ("changeset", "written"):
        spark.sql(f"DROP TABLE IF EXISTS {table}")
    spark.createDataFrame([], record).write.saveAsTable("written")
    before = processor()
    compared = timed(sql["compare"])
    written = timed(sql["write"])
    used = processor() - before
    people = spark.sql("SELECT count(*) FROM written").first()[0]
    if run > 0:
        print(f"{compared:.3f} {written:.3f} {used:.3f} {people}", flush=True)
print(peak())
spark.stop()
