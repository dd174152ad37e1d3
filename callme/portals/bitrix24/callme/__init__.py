"""What the old CallMe and CallMePlus PHP scripts leave behind: their configuration, their dialplan, their
address.

`callme import-callme` reads the first two through `moving`; requests to `/CallMeOut.php` come to `door`.
`php` reads a configuration as data, `keys` says what becomes of each key, `dialplan` finds their lines in a
file of Asterisk. Nothing here runs PHP, and nothing but the adapter and the folder's own `__init__` knows
this folder.
"""
