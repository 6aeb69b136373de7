//! What the operator's shell may ask of a deployment.
