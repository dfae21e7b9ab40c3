"""Bytes on disk that survive anything: checkpoints, and the runs that they belong to.

atomic.py             write, fsync, rename, fsync: a file is the old one or the new one, never a part
regular.py            opening what is surely a plain file, within a size
safetensors_guard.py  the checked reading of a .safetensors file, before anything is allocated for it
metadata.py           what a checkpoint says about itself, to JSON and back, every field checked
checkpoint.py         save, load, peek
metrics.py            metrics.jsonl: lines appended, read back, cut off
lock.py               one writer to a run
names.py              run names that are safe as file names
run.py                one run is a directory: run.json, metrics.jsonl, step-*.safetensors
places.py             where the app's file of choices is
runs.py               all runs: where they are, listing, finding, renaming, deleting
"""
