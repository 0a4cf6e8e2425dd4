"""How many letters two words differ by: insertions, deletions and replacements (Levenshtein)."""


def edit_distance(one: str, other: str, most: int) -> int:
    """Return the distance of two words, or `most` + 1 when it is greater than `most`.

    Takes at most len(one) * (2 * most + 1) steps: only pairs of prefixes that differ in length by
    no more than `most` can be on the way.
    """
    far = most + 1
    if abs(len(one) - len(other)) > most:
        return far
    costs = {length: length for length in range(min(len(other), most) + 1)}
    for place, letter in enumerate(one, start=1):
        line: dict[int, int] = {}
        for length in range(max(0, place - most), min(len(other), place + most) + 1):
            replaced = far
            if length > 0:
                replaced = costs.get(length - 1, far) + (letter != other[length - 1])
            shorter = min(costs.get(length, far), line.get(length - 1, far)) + 1
            line[length] = min(replaced, shorter, far)
        costs = line
    return costs[len(other)]
