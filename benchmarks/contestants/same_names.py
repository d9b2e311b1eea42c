"""The work in the names that kinarray and PyMomentum share."""

import file_work


def prepare_geometry(geometry, workload, arrays, character=None, algebra=None):
    given = arrays.input
    if workload.kind in file_work.KINDS:
        return file_work.prepare(geometry, workload, arrays)
    if workload.kind == "multiply":
        return lambda: algebra.multiply(*given)
    if workload.kind == "slerp":
        return lambda: algebra.slerp(*given)
    if workload.kind == "to_matrix":
        return lambda: algebra.to_rotation_matrix(given)
    if workload.kind == "blend_shapes":
        base, shapes, coefficients = given
        blend = geometry.BlendShape.from_tensors(base, shapes)
        return lambda: blend.compute_shape(coefficients)
    if workload.kind == "closest_points":
        return lambda: geometry.find_closest_points(given[0], given[1])[0]
    if workload.kind == "closest_on_mesh":
        return lambda: geometry.find_closest_points_on_mesh(*given)[1]
    character = character or arrays.character.build(geometry)
    if workload.kind == "fk":
        return lambda: geometry.model_parameters_to_skeleton_state(character, given)
    if workload.kind == "call":
        return lambda: geometry.apply_parameter_transform(character, given)
    if workload.kind == "call_fk":
        return lambda: geometry.joint_parameters_to_skeleton_state(character, given)
    if workload.kind == "inverse_fk":
        return lambda: geometry.skeleton_state_to_joint_parameters(character, given)
    if workload.kind == "skin":
        return lambda: character.skin_points(given)
    if workload.kind == "normals":
        faces = arrays.character.faces
        return lambda: geometry.compute_vertex_normals(given, faces)
    return None
