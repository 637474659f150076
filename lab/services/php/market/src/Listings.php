<?php
declare(strict_types=1);

final class Listings
{
    public static function get(int $id): ?array
    {
        return Db::all('select id, title, cents, discount, seller from items where id = ?', [$id])[0] ?? null;
    }

    public static function search(string $q): array
    {
        return Db::all('select id, title, cents from items where title ilike ? order by id limit 20', ['%' . $q . '%']);
    }

    public static function offer(int $item, int $cents, string $note): int
    {
        return (int) Db::all('insert into offers (item_id, cents, note) values (?, ?, ?) returning id', [$item, $cents, $note])[0]['id'];
    }
}
