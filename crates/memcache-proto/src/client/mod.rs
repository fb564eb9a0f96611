//! The client's side, for load generators and tests: requests as bytes, and replies counted.
