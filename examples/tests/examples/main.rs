//! The examples' programs and functions, each run as its users run it.

mod collatz;
mod devices;
mod mining;
mod pipelines;
mod program;
mod raytracer;
mod square;
mod tracer;
