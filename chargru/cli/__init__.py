"""The command line: stdout is data, stderr is narration, and every failure is one line with a hint.

Only click and the settings are imported when a command line is parsed; NumPy, tqdm and the other rooms are imported
by the command that needs them, so that `chargru --help` answers at once.
"""
