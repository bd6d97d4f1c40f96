"""The comparison as a pandas script would do it. usage: pandas_compare.py DATA WORK AUDIENCE..."""
import glob
import json
import sys

import pandas as pd

data, work, *wanted = sys.argv[1:]
bit = {audience: 1 << number for number, audience in enumerate(wanted)}
members = {"realized", "existing"}

rows = []
for path in sorted(glob.glob(f"{data}/new/*.json")):
    with open(path) as lines:
        for line in lines:
            profile = json.loads(line)
            mask = 0
            for audience, membership in profile["segmentMembership"]["ups"].items():
                if audience in bit and membership["status"] in members:
                    mask |= bit[audience]
            rows.append((profile["_demoemea"]["identification"]["core"]["email"], mask))

desired = pd.DataFrame(rows, columns=["person", "after"]).groupby("person", sort=False)["after"].max()
base = pd.read_csv(f"{work}/base.csv", index_col="person")["mask"]
both = pd.concat([base.rename("before"), desired], axis=1).fillna(0).astype("uint8")
changes = both[both["before"] != both["after"]]
changes.to_csv(f"{work}/pandas-changes.csv")
print(len(changes))
