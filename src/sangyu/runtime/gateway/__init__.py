"""The signal gateway: devices' connections in, entries on the stream SIGNALS out, answers only after its acknowledgement (ADR 0024).

``listeners`` (sockets and identity) → ``conversion`` (message → entry) → ``publishing`` (batches, acknowledgement) ; ``register`` knows who
may speak, ``stream`` makes and keeps SIGNALS, ``service`` runs it all.
"""
