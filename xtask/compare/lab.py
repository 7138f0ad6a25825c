"""scikit-mobility's LocationAttack on a file of visits (user,time,lat,lon), as `cargo xtask compare lab` runs it.

    python lab.py VISITS.csv 1,2,3

Prints one JSON object: for each knowledge length the processor seconds of `assess_risk` alone (it runs on one core, and
waiting for a busy machine is not held against it) and everybody's risk.
"""

import json
import sys
import time
import warnings

# pandas announces changes that the pinned versions do not make
warnings.simplefilter("ignore")

import pandas
import skmob
from importlib.metadata import version
from skmob.privacy.attacks import LocationAttack


def visits(path):
    table = pandas.read_csv(path, dtype={"user": str}, float_precision="round_trip")
    table["time"] = pandas.to_datetime(table["time"], unit="s")
    return skmob.TrajDataFrame(table, latitude="lat", longitude="lon", user_id="user", datetime="time")


def attack(table, known):
    print(f"scikit-mobility: {known} known", file=sys.stderr)
    start = time.process_time()
    found = LocationAttack(knowledge_length=known).assess_risk(table, show_progress=True)
    seconds = time.process_time() - start
    return {"known": known, "seconds": seconds, "risks": dict(zip(found["uid"], found["risk"].astype(float)))}


def main():
    table = visits(sys.argv[1])
    attacks = [attack(table, int(known)) for known in sys.argv[2].split(",")]
    json.dump({"version": version("scikit-mobility"), "attacks": attacks}, sys.stdout)


main()
