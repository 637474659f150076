"""Fees in cents by insurance and kind of visit."""

FEES = {"public": 0, "private": 9000, "none": 6500}


def fee_for(patient, kind):
    fee = FEES[patient["insurance"]]
    return fee * 2 if kind == "long" else fee
