"""The trainer as a supervised child process.

A face that must stay quick on its feet trains in another process: `WorkerClient` starts `python -m chargru.worker`,
hands it a `TrainRequest` and six words (pause, resume, save, faster, slower, stop), and gives back the trainer's
events. Both ends speak JSON lines over pipes; neither outlives the other unnoticed.
"""
