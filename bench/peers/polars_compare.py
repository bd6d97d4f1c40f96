"""The comparison with Polars. usage: polars_compare.py json|parquet DATA WORK AUDIENCE..."""
import sys

import polars as pl

kind, data, work, *wanted = sys.argv[1:]
members = ["realized", "existing"]
person = pl.col("_demoemea").struct.field("identification").struct.field("core").struct.field("email")

if kind == "json":
    status = pl.Struct({"status": pl.String})
    schema = {
        "_demoemea": pl.Struct({"identification": pl.Struct({"core": pl.Struct({"email": pl.String})})}),
        "segmentMembership": pl.Struct({"ups": pl.Struct({audience: status for audience in wanted})}),
    }
    ups = pl.col("segmentMembership").struct.field("ups")
    mask = sum(
        ups.struct.field(audience).struct.field("status").is_in(members).fill_null(False).cast(pl.UInt8) * (1 << number)
        for number, audience in enumerate(wanted)
    )
    desired = pl.scan_ndjson(f"{data}/new/*.json", schema=schema).select(person.alias("person"), mask.alias("after"))
else:
    entries = pl.scan_parquet(f"{data}/new/*.parquet").select(
        person.alias("person"), pl.col("segmentMembership").alias("spaces")
    )
    entries = entries.explode("spaces").select("person", pl.col("spaces").struct.field("value").alias("entry"))
    entries = entries.explode("entry").select(
        "person",
        pl.col("entry").struct.field("key").alias("audience"),
        pl.col("entry").struct.field("value").struct.field("status").alias("status"),
    )
    bits = pl.LazyFrame({"audience": wanted, "bit": [1 << number for number in range(len(wanted))]})
    bits = bits.with_columns(pl.col("bit").cast(pl.UInt8))
    desired = (
        entries.filter(pl.col("status").is_in(members))
        .join(bits, on="audience")
        .group_by("person")
        .agg(pl.col("bit").sum().alias("after"))
    )

base = pl.scan_csv(f"{work}/base.csv", schema={"person": pl.String, "mask": pl.UInt8})
changes = (
    desired.join(base, on="person", how="full", coalesce=True)
    .with_columns(pl.col("after").fill_null(0), pl.col("mask").fill_null(0).alias("before"))
    .filter(pl.col("before") != pl.col("after"))
    .select("person", "before", "after")
    .collect(engine="streaming")
)
changes.write_csv(f"{work}/polars-changes.csv")
print(changes.height)
