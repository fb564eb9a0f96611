//! Tests of the reply.
