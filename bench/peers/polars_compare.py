"""The comparison with Polars. usage: polars_compare.py DATA WORK AUDIENCE..."""
import sys

import polars as pl

data, work, *wanted = sys.argv[1:]
members = ["realized", "existing"]
person = pl.col("_demoemea").struct.field("identification").struct.field("core").struct.field("email")

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
