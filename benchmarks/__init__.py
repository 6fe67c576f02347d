"""This queue and the community's, timed side by side on one machine and one PostgreSQL."""
