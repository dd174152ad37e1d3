"""CallMe joins an Asterisk or FreePBX phone system to a CRM."""

__version__ = "0.1.0"
