//! The delivery engine, from outside: what is on the networks, and what the databases say of it.

mod fanning;
mod lessons;
mod moves;
mod network;
mod pausing;
mod plans;
mod settling;
mod simulation;
mod stories;
mod world;
