//! What a pace lets through, by its limits.
