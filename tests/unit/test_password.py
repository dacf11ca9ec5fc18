"""What a password's hash costs whoever steals it, however quick the hashes of other tests are."""

from portal.vault.staff import hash_password, password_is_right


async def test_a_password_is_hashed_by_argon2id_with_64_mib_and_three_passes() -> None:
    hashed = await hash_password("correct horse battery")

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert await password_is_right("correct horse battery", hashed)
    assert not await password_is_right("correct horse battery!", hashed)
