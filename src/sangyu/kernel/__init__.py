"""Mechanisms without a word of elder care: scope, history, workflow, dated facts, events, jobs, files, ledger."""
