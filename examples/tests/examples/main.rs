//! The examples' programs and functions, each run as its users run it.

mod collatz;
mod devices;
mod landsat;
mod pipelines;
mod program;
mod raytracer;
mod running;
mod square;
