"""The set-up wizard in a browser: `callme setup --web`.

An application of its own, apart from the pages of the service, that lives only while somebody sets up. The
decisions are those of `callme.setup`; here are the forms, who may fill them in, and how they look.
"""
