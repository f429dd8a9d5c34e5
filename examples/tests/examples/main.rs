//! The programs and functions of the examples, run like their users run them.

mod agent;
mod arxiv;
mod collatz;
mod devices;
mod landsat;
mod mining;
mod npm;
mod people;
mod pipelines;
mod program;
mod random_testing;
mod raytracer;
mod square;
mod tracer;
