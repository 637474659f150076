"""What a crossing costs, in cents."""
PER_PERSON = 1450
PER_METRE = 820
HARBOUR_FEE = 300


def total(passengers, vehicle_cm):
    people = passengers * PER_PERSON
    vehicle = -(-vehicle_cm // 100) * PER_METRE
    return people + vehicle + HARBOUR_FEE
