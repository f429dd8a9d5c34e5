//! An independent raytracer in another language: renders one frame of the same scene.

use std::f64::consts::TAU;

type Vector = [f64; 3];

struct Sphere {
    center: Vector,
    radius: f64,
    material: Material,
}

#[derive(Clone, Copy)]
struct Material {
    color: Vector,
    highlight: f64,
    shine: f64,
    mirror: f64,
}

struct Hit {
    point: Vector,
    normal: Vector,
    material: Material,
    tint: Vector,
    fade: f64,
}

const LIGHT: Vector = [5.0, 9.0, 3.5];
const AMBIENT: f64 = 0.27;
const HORIZON: Vector = [0.80, 0.87, 0.95];
const ZENITH: Vector = [0.25, 0.45, 0.78];
const TILES: [Vector; 2] = [[0.86, 0.85, 0.80], [0.20, 0.22, 0.27]];

/// The RGB pixels of a square frame with `side` pixels per side, seen from `angle`.
pub(crate) fn render(angle: f64, side: usize) -> Vec<u8> {
    let scene = scene();
    let eye = [6.6 * angle.cos(), 3.3, 6.6 * angle.sin()];
    let forward = unit(sub([0.0, 1.05, 0.0], eye));
    let right = unit(cross(forward, [0.0, 1.0, 0.0]));
    let up = cross(right, forward);
    let ray = |x: f64, y: f64| {
        let place = |at: f64| (2.0 * at / side as f64 - 1.0) / 2.1;
        trace(&scene, eye, unit(along(along(forward, right, place(x)), up, -place(y))), 1.0)
    };
    let pixel = |at: usize| {
        let (x, y) = ((at % side) as f64, (at / side) as f64);
        let samples = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)]
            .map(|(dx, dy)| ray(x + dx, y + dy));
        [0, 1, 2].map(|channel| {
            let light = samples.iter().map(|sample| sample[channel].min(1.0)).sum::<f64>() / 4.0;
            (255.0 * light * (1.25 - 0.25 * light)).round() as u8
        })
    };
    (0..side * side).flat_map(pixel).collect()
}

fn scene() -> Vec<Sphere> {
    let gold = Material { color: [1.0, 0.70, 0.22], highlight: 0.7, shine: 60.0, mirror: 0.25 };
    let mirror = Material { color: [0.95, 0.97, 1.0], highlight: 0.9, shine: 200.0, mirror: 0.82 };
    let colors = [
        [0.90, 0.16, 0.18],
        [0.96, 0.52, 0.10],
        [0.25, 0.70, 0.28],
        [0.10, 0.62, 0.72],
        [0.16, 0.34, 0.86],
        [0.62, 0.22, 0.74],
    ];
    let ring = colors.into_iter().enumerate().map(|(number, color)| {
        let angle = number as f64 * TAU / 6.0;
        let radius = if number % 2 == 0 { 0.55 } else { 0.4 };
        let material = Material { color, highlight: 0.7, shine: 90.0, mirror: 0.18 };
        Sphere { center: [2.1 * angle.cos(), radius, 2.1 * angle.sin()], radius, material }
    });
    let middle = [
        Sphere { center: [0.0, 1.15, 0.0], radius: 1.15, material: mirror },
        Sphere { center: [0.0, 2.62, 0.0], radius: 0.34, material: gold },
    ];
    middle.into_iter().chain(ring).collect()
}

fn trace(scene: &[Sphere], origin: Vector, direction: Vector, weight: f64) -> Vector {
    let Some(hit) = nearest(scene, origin, direction) else {
        return mix(HORIZON, ZENITH, direction[1].max(0.0).sqrt());
    };
    let mut color = shade(scene, &hit, direction);
    let flat = 1.0 - (-dot(direction, hit.normal)).max(0.0);
    let share = hit.material.mirror + (1.0 - hit.material.mirror) * 0.6 * flat.powi(5);
    let reflected = weight * share * (1.0 - hit.fade);
    if reflected > 0.03 {
        let seen = trace(scene, hit.point, reflect(direction, hit.normal), reflected);
        color = [0, 1, 2].map(|i| color[i] + (seen[i] * hit.tint[i] - color[i]) * share);
    }
    mix(color, HORIZON, hit.fade)
}

fn shade(scene: &[Sphere], hit: &Hit, direction: Vector) -> Vector {
    let to_light = sub(LIGHT, hit.point);
    let light = unit(to_light);
    let facing = dot(hit.normal, light);
    let far = dot(to_light, to_light).sqrt();
    let Material { color, highlight, shine, .. } = hit.material;
    if facing <= 0.0
        || scene
            .iter()
            .any(|sphere| distance(sphere, hit.point, light).is_some_and(|near| near < far))
    {
        return color.map(|c| c * AMBIENT);
    }
    let glint = dot(reflect(direction, hit.normal), light).max(0.0);
    color.map(|c| c * (AMBIENT + 0.85 * facing) + highlight * glint.powf(shine))
}

fn nearest(scene: &[Sphere], origin: Vector, direction: Vector) -> Option<Hit> {
    let spheres =
        scene.iter().filter_map(|sphere| Some((distance(sphere, origin, direction)?, sphere)));
    let first = spheres.min_by(|(one, _), (other, _)| one.total_cmp(other));
    let floor = Some(-origin[1] / direction[1]).filter(|_| direction[1] < 0.0);
    match (first, floor) {
        (Some((far, sphere)), floor) if floor.is_none_or(|floor| far <= floor) => {
            let normal =
                sub(along(origin, direction, far), sphere.center).map(|side| side / sphere.radius);
            let material = sphere.material;
            let tint = if material.mirror > 0.2 { material.color } else { [1.0; 3] };
            Some(Hit {
                point: along(sphere.center, normal, sphere.radius + 1e-6),
                normal,
                material,
                tint,
                fade: 0.0,
            })
        }
        (_, floor) => {
            let far = floor?;
            let [x, _, z] = along(origin, direction, far);
            let color = TILES[(x.floor() + z.floor()).rem_euclid(2.0) as usize];
            let material = Material { color, highlight: 0.0, shine: 1.0, mirror: 0.12 };
            let fade = 1.0 - (-0.045 * (far - 6.0).max(0.0)).exp();
            Some(Hit {
                point: [x, 1e-6, z],
                normal: [0.0, 1.0, 0.0],
                material,
                tint: [1.0; 3],
                fade,
            })
        }
    }
}

fn distance(sphere: &Sphere, origin: Vector, direction: Vector) -> Option<f64> {
    let to_center = sub(sphere.center, origin);
    let middle = dot(to_center, direction);
    let square = middle * middle - dot(to_center, to_center) + sphere.radius * sphere.radius;
    (middle >= 0.0 && square >= 0.0).then(|| middle - square.sqrt())
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn sub(a: Vector, b: Vector) -> Vector {
    along(a, b, -1.0)
}

fn along(a: Vector, b: Vector, far: f64) -> Vector {
    [a[0] + b[0] * far, a[1] + b[1] * far, a[2] + b[2] * far]
}

fn mix(a: Vector, b: Vector, share: f64) -> Vector {
    along(a.map(|part| part * (1.0 - share)), b, share)
}

fn unit(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    a.map(|part| part / length)
}

fn reflect(direction: Vector, normal: Vector) -> Vector {
    along(direction, normal, -2.0 * dot(direction, normal))
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
