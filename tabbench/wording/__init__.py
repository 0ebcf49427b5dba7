"""Every sentence, name, label and number format that a person reads. Decides nothing."""
