"""How long the ledger waits, and for what: nothing that asks it hangs for longer than these together."""

WAIT_SECONDS = 30
"""How long a writer waits for the one before it."""

CONNECT_SECONDS = 10
"""How long PostgreSQL may take to let a process in, for each address of its name."""

IDLE_SECONDS = 20
"""After what time PostgreSQL ends a writer that says nothing: it hangs, or its machine is gone, and the others wait for it.

Shorter than they wait, so that they get in; between two statements of a writer lie milliseconds.
"""

STATEMENT_SECONDS = 40
"""How long PostgreSQL works on one statement of a writer, the wait for the writer before it included."""

ANSWER_SECONDS = 45
"""How long a process waits for an answer of PostgreSQL. Longer than the server tries, whose own words say more."""
