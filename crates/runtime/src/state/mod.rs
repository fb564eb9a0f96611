//! Tenants and credentials, kept durably in one SQLite file that one process opens.
