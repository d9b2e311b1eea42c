"""The work in the names that kinarray and PyMomentum share."""


def prepare_geometry(geometry, workload, arrays, character=None):
    character = character or arrays.character.build(geometry)
    given = arrays.input
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
