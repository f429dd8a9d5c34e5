//! The examples' programs and functions, each run as its users run it.

mod collatz;
mod devices;
mod npm;
mod pipelines;
mod program;
mod random_testing;
mod raytracer;
mod square;
