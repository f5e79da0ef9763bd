from devtune.report.draw import Draw


def drawn(keys, size=5):
    draw = Draw(size)
    for key in keys:
        draw.offer(key, key)
    return draw.drawn()


KEYS = [f"{number:04}" for number in range(200)]


def test_the_order_of_offers_does_not_matter():
    assert drawn(KEYS) == drawn(KEYS[::-1])


def test_a_draw_is_neither_the_first_nor_the_last_of_the_keys():
    found = drawn(KEYS, 20)
    assert len(set(found)) == 20
    assert found not in (KEYS[:20], KEYS[-20:], sorted(found))


def test_a_smaller_draw_is_the_start_of_a_larger_one():
    assert drawn(KEYS, 5) == drawn(KEYS, 20)[:5]


def test_fewer_offers_than_places_are_all_drawn_and_counted():
    draw = Draw(5)
    for key in KEYS[:3]:
        draw.offer(key, key)
    assert sorted(draw.drawn()) == KEYS[:3]
    assert draw.num_offered == 3


def test_items_of_one_key_are_drawn_in_the_order_they_came():
    draw = Draw(2)
    for item in ({"first": 1}, {"second": 2}, {"third": 3}):
        draw.offer("same", item)
    assert draw.drawn() == [{"first": 1}, {"second": 2}]
