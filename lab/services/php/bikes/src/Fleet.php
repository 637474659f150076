<?php
declare(strict_types=1);

final class Fleet
{
    public static function at(int $station): array
    {
        return Database::rows('select b.id, b.model, b.frame_size, b.battery from bikes b where b.station_id = ? order by b.battery desc limit 15', [$station]);
    }

    public static function bike(int $id): ?array
    {
        return Database::rows('select id, model, battery, station_id from bikes where id = ?', [$id])[0] ?? null;
    }
}
