<?php
declare(strict_types=1);

final class Render
{
    public static function item(array $item): array
    {
        return ['id' => $item['id'], 'title' => $item['title'], 'price' => Prices::format((int) $item['cents'], $item['discount']), 'seller' => $item['seller']];
    }

    public static function export(): void
    {
        foreach (Db::all('select id, title, cents from items order by id limit 400') as $row) {
            echo implode(';', $row), "\n";
        }
    }
}
