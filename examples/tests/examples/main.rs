//! The examples' programs and functions, each run as its users run it.

mod agent;
mod arxiv;
mod collatz;
mod devices;
mod mining;
mod people;
mod npm;
mod landsat;
mod pipelines;
mod program;
mod random_testing;
mod raytracer;
mod running;
mod square;
