"""Setting CallMe up on a machine, and finding out why it does not work there.

The planning (what is there, what to write) is pure; `applying` alone writes. Used by the command line.
"""
