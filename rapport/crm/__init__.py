"""Crm is whom we sell to: contacts and companies."""
