"""The examinations of `callme doctor`, each a part of the way of a call: files, machine, network, PBX,
people, what waits to be told. Each gives signs; none changes anything.
"""
