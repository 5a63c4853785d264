"""Rapport: the email inbox of a CRM."""
