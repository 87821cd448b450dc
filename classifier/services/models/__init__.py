"""Model records: upload, register, report, card, versions."""
